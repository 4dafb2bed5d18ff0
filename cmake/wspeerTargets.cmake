# Defines wspeer::wspeer, the shared library, and wspeer::static with the system libraries that it needs. Before it is included, wspeer_INCLUDE_DIRS, wspeer_SHARED and
# wspeer_ARCHIVE say where things are.
if(TARGET wspeer::wspeer)
  return()
endif()
add_library(wspeer::wspeer SHARED IMPORTED GLOBAL)
set_target_properties(wspeer::wspeer PROPERTIES IMPORTED_LOCATION "${wspeer_SHARED}" IMPORTED_SONAME libwspeer.so.0
                      INTERFACE_INCLUDE_DIRECTORIES "${wspeer_INCLUDE_DIRS}")
add_library(wspeer::static STATIC IMPORTED GLOBAL)
set_target_properties(wspeer::static PROPERTIES IMPORTED_LOCATION "${wspeer_ARCHIVE}" INTERFACE_INCLUDE_DIRECTORIES "${wspeer_INCLUDE_DIRS}"
                      INTERFACE_COMPILE_DEFINITIONS WS_STATIC INTERFACE_LINK_LIBRARIES "pthread;dl;m")
