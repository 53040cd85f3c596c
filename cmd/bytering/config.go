package main

import "time"

// A config has the settings of the command line, whatever name the command was
// called by. The flags of all names set its fields. No other code knows a flag.
type config struct {
	as program // the name that the command was called by

	inputs  []place // read one after the other; at least one
	outputs []place // each gets every byte; at least one

	memory     size    // of the ring; bytes is 0 if share is set
	share      float64 // of the machine's memory, in percent, or 0
	block      size    // the most that one read or write moves
	blocks     int     // the ring holds this many of block; 0 if memory is set
	wholeBlock size    // each write except the last moves this many bytes; 0 for any
	lock       bool    // the ring stays in memory
	ringFile   string  // the file that the ring lies in; "" for none
	tempFile   bool    // the ring lies in a temporary file

	depth     int  // reads or writes in flight at once, of ends that have offsets; 0 is 1
	deepBlock size // the most that such a read or write moves, if depth is above 1
	web       web

	objects   objects
	anyMemory bool // the ring may be as large as objects take

	startAbove  int // percent of the ring to fill before writing begins; 0 for any
	resumeBelow int // percent of the ring below which reading continues; 100 for any

	readRate, writeRate int64 // bytes a second, at most; 0 for any

	timeout     time.Duration // fail if an end moves nothing for this long; 0 for none
	connTimeout time.Duration // of sends and receives over TCP; 0 for the usual one
	connBuffer  size          // of a TCP socket; 0 for the usual one

	size   int64 // a hint: the expected length; -1 if not known
	count  int64 // stop after this many bytes; -1 for the end of the inputs
	skip   int64 // skip this many bytes at the beginning
	atMost bool  // fewer than count are not an error

	force    bool     // overwrite existing files; write to a block device
	fsync    bool     // write through to the disk at the end
	syncEach bool     // write each block through to the disk
	direct   bool     // bypass the page cache
	noSplice bool     // copy between pipes too
	hashes   []string // of what was moved, to print at the end
	goOn     bool     // skip an input that can't be opened, as cat does
	stopAll  bool     // stop when one of several outputs fails
	showPid  bool
	log      string // the file that messages are appended to; "" for none
	quietLog bool   // without the summary
	level    level  // which messages are printed
	tape     tape
	show     display

	help, version bool
}

// A program is a name that the command goes by.
type program int

const (
	asBytering program = iota
	asMbuffer
	asPv
)

// A place is one input or output.
type place struct {
	kind placeKind
	// name is the file, "-" for the standard one, or what follows the kind in an
	// address: HOST:PORT, with or without the host.
	name   string
	family int // of IP: 4, 6, or 0 for either

	append bool // to the present end of an output

	// patient is set if the open may take longer than -W says. mbuffer connects as
	// it parses -I and -O, before it knows a -W that follows.
	patient bool
}

// String returns the place as it was typed, for messages.
func (p place) String() string {
	return quoted(map[placeKind]string{dial: "tcp://", listen: "tcp-listen://", listenAll: "-I "}[p.kind] + p.name)
}

type placeKind int

const (
	file      placeKind = iota
	get                 // is read by HTTP: http://, https://
	object              // of a store: s3://
	dial                // connects to HOST:PORT: -O, tcp://
	listen              // binds exactly ADDR, loopback without a host: tcp-listen://
	listenAll           // binds all addresses at PORT and lets in HOST, if there is one: mbuffer's -I
)

// A level is how much is printed, with mbuffer's numbers. Each level includes
// those before it.
type level int

const (
	sayNothing level = iota
	sayFatal         // what ends it
	sayErrors
	sayWarnings
	sayInfo // also a summary where the line is off
	sayDebug
	sayIO
)

// A tape has the settings for tapes.
type tape struct {
	volume int64 // the bytes that an output holds; 0 if the output itself reports its end
	aware  bool  // write on after the first "no space left"
}

// A display has the settings of what is shown while the command runs.
type display struct {
	quiet bool // only errors

	// The parts of a line like pv's. If none is set, the line is bytering's.
	bar, timer, eta, arrival, rate, average, bytes, fill bool

	numeric  bool          // lines of numbers instead
	name     string        // before the line; "" for none
	interval time.Duration // between updates; 0 for the usual one
	delay    time.Duration // before the first
	wait     bool          // for the first byte before the first
	width    int           // of the line; 0 for that of the terminal
	force    bool          // even if standard error is not a terminal
	cursor   bool          // place the line by escape sequences
}
