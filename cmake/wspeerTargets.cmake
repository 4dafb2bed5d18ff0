# Defines wspeer::wspeer, the shared library, and wspeer::static with the system libraries that it needs. Before it is included, wspeer_INCLUDE_DIRS, wspeer_SHARED and
# wspeer_ARCHIVE say where things are; on Windows wspeer_IMPORT is the import library. wspeer_SYSTEM lists the system libraries, by default those of Linux.
if(TARGET wspeer::wspeer)
  return()
endif()
add_library(wspeer::wspeer SHARED IMPORTED GLOBAL)
set_target_properties(wspeer::wspeer PROPERTIES IMPORTED_LOCATION "${wspeer_SHARED}" INTERFACE_INCLUDE_DIRECTORIES "${wspeer_INCLUDE_DIRS}")
if(wspeer_IMPORT)
  set_target_properties(wspeer::wspeer PROPERTIES IMPORTED_IMPLIB "${wspeer_IMPORT}")
elseif(wspeer_SHARED MATCHES "\\.so\\.0$")
  set_target_properties(wspeer::wspeer PROPERTIES IMPORTED_SONAME libwspeer.so.0)
endif()
if(NOT wspeer_SYSTEM)
  set(wspeer_SYSTEM pthread dl m)
endif()
add_library(wspeer::static STATIC IMPORTED GLOBAL)
set_target_properties(wspeer::static PROPERTIES IMPORTED_LOCATION "${wspeer_ARCHIVE}" INTERFACE_INCLUDE_DIRECTORIES "${wspeer_INCLUDE_DIRS}"
                      INTERFACE_COMPILE_DEFINITIONS WS_STATIC INTERFACE_LINK_LIBRARIES "${wspeer_SYSTEM}")
