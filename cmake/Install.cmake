# `cmake --install` gives bin/mho, the libraries with their headers and find_package(mho), and mho's own files
# (data, zoo, examples) in share/mho, laid out as in the source tree: models/resources.cc finds them there.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mho)

install(TARGETS mho mho_options mho_kernels mho_models mho_host EXPORT mhoTargets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT mhoTargets NAMESPACE mho:: DESTINATION ${package_dir})
configure_package_config_file(cmake/mhoConfig.cmake.in ${PROJECT_BINARY_DIR}/mhoConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mhoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/Dependencies.cmake ${PROJECT_BINARY_DIR}/mhoConfig.cmake ${PROJECT_BINARY_DIR}/mhoConfigVersion.cmake
  DESTINATION ${package_dir})

foreach(folder kernels models host)
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mho FILES_MATCHING PATTERN *.h PATTERN cuda EXCLUDE)
endforeach()
install(DIRECTORY data DESTINATION ${CMAKE_INSTALL_DATADIR}/mho)
install(DIRECTORY models/zoo DESTINATION ${CMAKE_INSTALL_DATADIR}/mho/models)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DATADIR}/mho OPTIONAL)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
