# The program itself says what a shell can complete.
set(folder "${CMAKE_CURRENT_BINARY_DIR}/completion")
file(MAKE_DIRECTORY "${folder}")
foreach(each IN ITEMS bash=simplevpn=bash-completion/completions
                      zsh=_simplevpn=zsh/vendor-completions
                      fish=simplevpn.fish=fish/vendor_completions.d)
  string(REPLACE "=" ";" each "${each}")
  list(GET each 0 shell)
  list(GET each 1 file)
  list(GET each 2 place)
  add_custom_command(TARGET simplevpn POST_BUILD VERBATIM
    COMMAND sh -c "\"$1\" completion \"$2\" >\"$3\"" sh "$<TARGET_FILE:simplevpn>" "${shell}"
            "${folder}/${file}")
  if(TUNNEL_INSTALL)
    install(FILES "${folder}/${file}" DESTINATION "${CMAKE_INSTALL_DATADIR}/${place}")
  endif()
endforeach()
