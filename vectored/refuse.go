package vectored

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

var (
	errNoStream  = errors.New("a socket that is not a stream")
	errNoOffsets = errors.New("it has no offsets")
)

// isNil reports whether c is nil or a nil pointer. Methods of a nil pointer panic in
// package net, but not in package os.
func isNil(c any) bool {
	v := reflect.ValueOf(c)
	return c == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

// refuse returns the error for a value that can't be used.
func refuse(c any, why error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnsupported, strings.TrimPrefix(fmt.Sprintf("%T", c), "*"), why)
}
