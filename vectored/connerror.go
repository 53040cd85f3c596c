package vectored

import (
	"errors"
	"reflect"

	"github.com/bytering/bytering/internal/netaddr"
)

// A connError stands for the *net.OpError of a connection's own Read or Write. Naming
// that type would link package net into every program that has a ring. Instead, As
// makes one by reflection on its target.
type connError struct {
	op   string // "read" or "write"
	conn any
	err  error
}

// addrs returns the name of the network and the addresses, which are nil if conn has no
// such methods.
func (e *connError) addrs() (network string, local, remote netaddr.Addr) {
	local, remote = netaddr.Local(e.conn), netaddr.Remote(e.conn)
	for _, a := range []netaddr.Addr{remote, local} {
		if a != nil {
			network = a.Network()
		}
	}
	return network, local, remote
}

// Error returns the text that a net.OpError has.
func (e *connError) Error() string {
	network, local, remote := e.addrs()
	text, join := e.op, " "
	if network != "" {
		text += " " + network
	}
	if local != nil {
		text += " " + local.String()
		join = "->"
	}
	if remote != nil {
		text += join + remote.String()
	}
	return text + ": " + e.err.Error()
}

func (e *connError) Unwrap() error { return e.err }

// Timeout and Temporary are those of a net.Error.
func (e *connError) Timeout() bool {
	t, ok := e.err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

func (e *connError) Temporary() bool {
	var t interface {
		error
		Temporary() bool
	}
	return errors.As(e.err, &t) && t.Temporary()
}

// As sets a target of type **net.OpError, and reports whether it is one.
func (e *connError) As(target any) bool {
	v := reflect.ValueOf(target).Elem()
	if v.Kind() != reflect.Pointer || v.Type().Elem().Name() != "OpError" || v.Type().Elem().PkgPath() != "net" {
		return false
	}
	v.Set(reflect.New(v.Type().Elem()))
	network, local, remote := e.addrs()
	set := func(field string, value any) { v.Elem().FieldByName(field).Set(reflect.ValueOf(value)) }
	set("Op", e.op)
	set("Net", network)
	set("Err", e.err)
	if local != nil {
		set("Source", local)
	}
	if remote != nil {
		set("Addr", remote)
	}
	return true
}
