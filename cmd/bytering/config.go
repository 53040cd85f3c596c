package main

import "time"

// A config is what the command line says, under whichever name the command was
// called. The flags of all names fill it in; no other code knows a flag.
type config struct {
	as program // the program that it was called as

	inputs  []place // read one after the other; at least one
	outputs []place // each gets every byte; at least one

	memory     size    // of the ring; bytes is 0 if share is set
	share      float64 // of the memory there is, in percent, or 0
	block      size    // the most that one read or write moves
	blocks     int     // the ring holds so many of block; 0 if memory says it
	wholeBlock size    // a write moves exactly so many bytes, but at the end; 0 for any
	lock       bool    // the ring stays in memory
	ringFile   string  // the file that the ring lies in; "" for none
	tempFile   bool    // the ring lies in a temporary file

	depth     int  // reads or writes under way at once, of ends that have offsets; 0 is 1
	deepBlock size // the most that one of these moves, if depth is above 1
	web       web

	objects   objects
	anyMemory bool // the ring may be as large as objects take

	startAbove  int // percent of the ring to be filled before writing begins; 0 for any
	resumeBelow int // percent of the ring below which reading goes on; 100 for any

	readRate, writeRate int64 // bytes a second, at most; 0 for any

	timeout     time.Duration // an end that moves nothing for so long ends it; 0 for none
	connTimeout time.Duration // of sends and receives over TCP; 0 for the usual one
	connBuffer  size          // of a TCP socket; 0 for the usual one

	size   int64 // expected in all, a hint; -1 where not known
	count  int64 // stop after so many bytes; -1 for the end of the inputs
	skip   int64 // leave out so many bytes at the beginning
	atMost bool  // fewer than count are no failure

	force    bool     // overwrite what exists; write to a block device
	fsync    bool     // write through to the disk at the end
	syncEach bool     // write each block through to the disk
	direct   bool     // bypass the page cache
	hashes   []string // of what was moved, to print at the end
	goOn     bool     // with the next input where one can't be opened, as cat does
	stopAll  bool     // when one of several outputs fails
	showPid  bool
	log      string // the file that messages go to as well; "" for none
	quietLog bool   // the summary does not go there
	level    level  // which messages are said
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

	append bool // behind what an output has
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

// A level is how much is said, as mbuffer counts it: each says what those before
// it do, too.
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

// A tape is what is particular to tapes.
type tape struct {
	volume int64 // the bytes that an output holds; 0 for what it says itself
	aware  bool  // write on after the first "no space left"
}

// A display is what a person sees while it runs.
type display struct {
	quiet bool // nothing, but errors

	// The parts of the line, of pv's kind. If none is set, the line is ours.
	bar, timer, eta, arrival, rate, average, bytes, fill bool

	numeric  bool          // whole lines of numbers instead
	name     string        // before the line; "" for none
	interval time.Duration // between updates; 0 for the usual one
	delay    time.Duration // before the first
	wait     bool          // for the first byte before the first
	width    int           // of the terminal; 0 for what it says
	force    bool          // also where standard error is no terminal
	cursor   bool          // place the line by escape sequences
}
