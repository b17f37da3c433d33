# One interface target carries what every mho source is compiled with.
add_library(mho_options INTERFACE)
target_include_directories(mho_options INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
target_compile_options(mho_options INTERFACE
  # A designated initialiser leaves the other members at their defaults on purpose: g++ 12 warns, so it is told.
  $<BUILD_INTERFACE:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers>
  # The same bits everywhere: no contraction but explicit fmaf (docs/physics.md, section 7).
  $<BUILD_INTERFACE:-ffp-contract=off -fno-math-errno -fno-trapping-math>)
if(MHO_SANITIZE)
  add_compile_options(-fsanitize=${MHO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MHO_SANITIZE})
  add_compile_definitions(MHO_SANITIZED=1)
endif()
if(MHO_COVERAGE)
  add_compile_options(--coverage -O1)
  add_link_options(--coverage)
endif()
