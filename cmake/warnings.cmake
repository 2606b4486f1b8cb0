# Warnings, hardening and sanitizers for our own targets.
add_library(tunnel_warnings INTERFACE)
target_compile_options(tunnel_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wno-missing-field-initializers
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual>
  $<$<BOOL:${TUNNEL_WERROR}>:-Werror>)

# Hardening costs nothing measurable on the packet path; the sanitizers bring their own.
if(NOT TUNNEL_SANITIZE)
  target_compile_options(tunnel_warnings INTERFACE
    -fstack-protector-strong
    $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
  target_link_options(tunnel_warnings INTERFACE -Wl,-z,relro,-z,now)
endif()
target_compile_definitions(tunnel_warnings INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

# The check of virtual tables is off: we have none, and it needs a free descriptor to look at
# memory, while some tests take all descriptors away.
if(TUNNEL_SANITIZE)
  add_compile_options(
    -fsanitize=${TUNNEL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    -fno-sanitize=vptr)
  add_link_options(-fsanitize=${TUNNEL_SANITIZE})
endif()

if(TUNNEL_FUZZ)  # coverage of the rooms guides the fuzzer; the targets link its main function
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
