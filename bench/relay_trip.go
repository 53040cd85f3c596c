package main

import (
	"errors"
	"io"
)

// relayTrips measures requests and their answers through a proxy.
func relayTrips() suite {
	s := suite{
		name:  "relay-trip",
		title: "A message goes through a proxy, and comes back",
		op:    "round trip",
		sizes: []int{64, 1 << 10, 32 << 10},
		legend: []string{
			"The server sends each message back. All three run in one process, over TCP on the loopback.",
		},
	}
	for _, p := range proxies {
		s.contenders = append(s.contenders, contender{p.name, p.ours, false, func(_ config, size int) (trial, error) {
			return newRelayTrip(p, size)
		}})
	}
	return s
}

// A relayTrip is a trial of round trips through a proxy.
type relayTrip struct {
	*trips
	in, out io.Closer
	relayed chan error
}

func newRelayTrip(p proxy, size int) (*relayTrip, error) {
	at, err := listenTCP()
	if err != nil {
		return nil, err
	}
	defer at.Close()
	l, err := newLine(at)
	if err != nil {
		return nil, err
	}
	r := &relayTrip{newTrips(l.client, l.server, size), l.in, l.out, make(chan error, 1)}
	go func() { r.relayed <- p.relay(l.in, l.out) }()
	return r, nil
}

func (r *relayTrip) finish() error {
	return errors.Join(r.trips.finish(), <-r.relayed, r.in.Close(), r.out.Close())
}
