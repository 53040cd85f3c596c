// Package netaddr asks a connection for its addresses without package net, which
// would otherwise be in every program that has a ring.
package netaddr

import "reflect"

// An Addr is a net.Addr.
type Addr interface {
	Network() string
	String() string
}

// Local returns what the LocalAddr of v does, or nil if v has none.
func Local(v any) Addr { return call(reflect.ValueOf(v).MethodByName("LocalAddr")) }

// Remote returns what the RemoteAddr of v does, or nil if v has none.
func Remote(v any) Addr { return call(reflect.ValueOf(v).MethodByName("RemoteAddr")) }

func call(method reflect.Value) Addr {
	if !method.IsValid() || method.Type().NumIn() != 0 || method.Type().NumOut() != 1 {
		return nil
	}
	a, _ := method.Call(nil)[0].Interface().(Addr)
	return a
}
