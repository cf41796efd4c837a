# Read by CMake at `project("llama.cpp")` (CMAKE_PROJECT_llama.cpp_INCLUDE). The bindings' own CMakeLists.txt forces the cache
# variable of this name ON; a plain variable goes before it (policy CMP0077). The "common" library is the command line tools'
# (chat parsers, HTTP, JSON): two fifths of the files to compile, and the bindings never load it.
set(LLAMA_BUILD_COMMON OFF)
