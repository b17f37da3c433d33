# One interface target carries what every mho source is compiled with.
add_library(mho_options INTERFACE)
target_include_directories(mho_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/mho>)
target_compile_features(mho_options INTERFACE cxx_std_20)
target_compile_options(mho_options INTERFACE
  # A designated initialiser leaves the other members at their defaults on purpose: g++ 12 warns, so it is told.
  # -Wpedantic warns on every line of what nvcc makes of a kernel.
  $<BUILD_INTERFACE:-Wall -Wextra> $<BUILD_INTERFACE:$<$<NOT:$<COMPILE_LANGUAGE:CUDA>>:-Wpedantic>>
  $<BUILD_INTERFACE:-Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers>
  $<BUILD_INTERFACE:-fno-math-errno -fno-trapping-math>
  # The same bits everywhere: no contraction but explicit fmaf (docs/physics.md, section 7). The headers hold
  # formulas too, so who links an installed mho compiles them the same way.
  -ffp-contract=off)

# Sanitized builds: lines are all that traces need of debugging information. What computes is optimised a little: the
# suite runs several times faster, the traces stay readable.
if(MHO_SANITIZE)
  add_compile_options(-O1 -g1 -fsanitize=${MHO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MHO_SANITIZE})
  add_compile_definitions(MHO_SANITIZED=1)
endif()
if(MHO_COVERAGE)
  add_compile_options(-O1)
  add_link_options(--coverage)
endif()

# mho_counted(TARGET): lines are counted where MHO_COVERAGE is on, and branches for libFuzzer where FUZZED stands.
function(mho_counted target)
  if(MHO_COVERAGE)  # counters of threads may race (a lost count is still a covered line)
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=prefer-atomic)
  endif()
  if(MHO_FUZZ AND "FUZZED" IN_LIST ARGN)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# mho_plain(TARGET): code that computes little. Sanitized builds take longer to optimise it than to run it.
function(mho_plain target)
  if(MHO_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
