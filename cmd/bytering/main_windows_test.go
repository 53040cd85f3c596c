package main

import "os"

// exitStatus is what a shell has in $?.
func exitStatus(s *os.ProcessState) int { return s.ExitCode() }
