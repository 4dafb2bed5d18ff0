# find_package(wspeer CONFIG): defines wspeer::wspeer and wspeer::static. Found from where this file lies, so that the folder may be moved.
get_filename_component(wspeer_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(wspeer_INCLUDE_DIRS "${wspeer_PREFIX}/include")
set(wspeer_SHARED "${wspeer_PREFIX}/lib/libwspeer.so.0")
set(wspeer_ARCHIVE "${wspeer_PREFIX}/lib/libwspeer.a")
include("${CMAKE_CURRENT_LIST_DIR}/wspeerTargets.cmake")
