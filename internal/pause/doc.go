// Package pause has the processor's instruction for a spin loop.
package pause
