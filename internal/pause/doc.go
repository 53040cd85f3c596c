// Package pause has the processor's instruction for spin loops.
package pause
