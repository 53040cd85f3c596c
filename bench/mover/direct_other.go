//go:build !linux

package main

const oDirect = 0
