package main

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bytering/bytering/pump"
)

// A size is a number of bytes on the command line, with K = 1024.
type size struct {
	bytes int
	text  string // as typed, which errors show
}

func (s size) String() string { return s.text }

// roundUp rounds it up to a multiple of m, a power of two.
func (s *size) roundUp(m int) { s.bytes = pump.RoundUp(s.bytes, m) }

// sizeForm is a decimal number and a unit. It excludes forms such as "1e3" and
// "0x10", which package math/big would accept.
var sizeForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(?:([kKmMgGtT])(?:[iI]?[bB])?|[bB])?$`)

const units = "KMGT"

// parseSize returns the number of bytes that text stands for. A number that is
// too large becomes the largest int64, which no machine has.
func parseSize(text string) (int64, error) {
	part := sizeForm.FindStringSubmatch(text)
	if part == nil {
		return 0, errors.New("not a size such as 512K, 16M or 2G")
	}
	number, ok := new(big.Rat).SetString(part[1])
	if !ok {
		return 0, errors.New("not a number: " + part[1])
	}
	unit := int64(1)
	if part[2] != "" {
		unit = 1 << (10 * (1 + strings.Index(units, strings.ToUpper(part[2]))))
	}
	bytes := number.Mul(number, new(big.Rat).SetInt64(unit))
	switch {
	case bytes.Sign() > 0 && bytes.Cmp(big.NewRat(1, 1)) < 0:
		return 0, errors.New("less than one byte")
	case !bytes.IsInt():
		return 0, errors.New("not a whole number of bytes")
	case !bytes.Num().IsInt64():
		return math.MaxInt64, nil
	}
	return bytes.Num().Int64(), nil
}

// parseSome is parseSize for sizes of at least a byte.
func parseSome(text string) (int64, error) {
	n, err := parseSize(text)
	if err == nil && n == 0 {
		err = errors.New("less than one byte")
	}
	return n, err
}

// parseMemory is parseSome for sizes of memory.
func parseMemory(text string) (size, error) {
	n, err := parseSome(text)
	return size{int(min(n, math.MaxInt)), text}, err
}

// most is the largest percentage of memory that can be requested.
const most = 90

// parseShare returns the percentage that text stands for. is reports whether
// text has the form of a percentage.
func parseShare(text string) (share float64, is bool, err error) {
	number, is := strings.CutSuffix(text, "%")
	if !is {
		return 0, false, nil
	}
	share, err = strconv.ParseFloat(number, 64)
	if err != nil || !(share > 0 && share <= most) {
		return 0, true, fmt.Errorf("not a percentage up to %d%%", most)
	}
	return share, true, nil
}

// parsePercent returns a whole percentage. The percent sign may be missing.
func parsePercent(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "%"))
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("not a percentage from %d to %d", least, most)
	}
	return n, nil
}

// parseTime returns a duration. A number without a unit is in the given one.
func parseTime(text string, unit time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if n, e := strconv.ParseFloat(text, 64); e == nil {
		d, err = time.Duration(min(n*float64(unit), 1<<62)), nil
	}
	if err != nil || d < 0 {
		return 0, errors.New("not a time such as 30, 0.5s or 10m")
	}
	return d, nil
}

// bytesText returns n in the largest unit that is not larger than n, with up to
// four digits.
func bytesText(n float64) string {
	unit := 0
	for ; n >= 1024 && unit < len(units)+2; unit++ {
		n /= 1024
	}
	return fmt.Sprintf("%.4g %s", n, [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}[unit])
}
