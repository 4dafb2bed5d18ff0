# The consumers: in C and in C++, shared and static.
foreach(kind wspeer static)
  foreach(language c cc)
    add_executable(${kind}_${language} ${CMAKE_CURRENT_LIST_DIR}/main.${language})
    target_compile_options(${kind}_${language} PRIVATE -Wall -Wextra -Wpedantic -Werror)
    target_link_libraries(${kind}_${language} PRIVATE wspeer::${kind})
  endforeach()
endforeach()
