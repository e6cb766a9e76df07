#include <stdint.h>

/* The names of Unicode's characters are half a megabyte of the standard library that nobody asks for. The linker puts
   this in the place of the function that reads them (--wrap in the Makefile), and then leaves them out: no name. */
intptr_t __wrap__swift_stdlib_getScalarName(uint32_t scalar, uint8_t *buffer, intptr_t capacity);

intptr_t __wrap__swift_stdlib_getScalarName(uint32_t scalar, uint8_t *buffer, intptr_t capacity) {
    (void)scalar;
    (void)buffer;
    (void)capacity;
    return 0;
}
