package memory

// mlock: the system takes system calls from its C library only, and package
// syscall has none for this.
func mlock(b []byte) error { return unsupported("locked memory") }
