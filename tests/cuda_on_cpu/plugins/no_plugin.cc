// A library that is no plug-in.
extern "C" int mho_something_else() { return 0; }
