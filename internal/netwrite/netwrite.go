// Package netwrite is where package vectored finds the vectored write of
// package net without importing that.
package netwrite

import "io"

// All writes all of bufs to w, a connection of package net, with as few calls
// as net makes, and returns how many bytes that was. It cuts the slices and sets
// them to nil. It is nil in a program without package vectored/netbuffers, which
// sets it before main starts.
var All func(w io.Writer, bufs *[][]byte) (n int64, err error)
