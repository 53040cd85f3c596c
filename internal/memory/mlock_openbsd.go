package memory

// mlock is not available: the system accepts system calls from its C library
// only, and package syscall does not have this one.
func mlock(b []byte) error { return unsupported("locked memory") }
