// Package pause has the processor's instructions for loops that wait.
package pause
