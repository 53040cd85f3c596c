// Package splice moves bytes from pipe to pipe inside the system, which passes on
// the pages that hold them.
package splice

import "time"

// Patience is how long Move waits for the reader of a pipe that stays full.
const Patience = 5 * time.Millisecond
