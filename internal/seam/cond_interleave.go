//go:build interleave

package seam

import "github.com/bytering/bytering/internal/interleave"

type (
	Cond  = interleave.Cond
	Alarm = interleave.Alarm
)

func NewCond() *Cond           { return interleave.NewCond() }
func NewAlarm(f func()) *Alarm { return interleave.NewAlarm(f) }
