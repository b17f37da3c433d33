// tests/install/main.cc - a program of somebody else's: reads the digits and finds a zoo network with
// installed mho.
#include <cstdio>

#include "every_header.h"

int main() {
    const mho::DataSet digits = mho::read_data_set({.name = "digits", .images = 100});
    std::printf("%lld images of %s, %s\n", static_cast<long long>(digits.count), digits.name.c_str(),
                mho::find_model("digits_cnn").c_str());
    return digits.count == 100 && digits.pixels.size() == 6400 ? 0 : 1;
}
