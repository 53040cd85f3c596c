package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colors lie halfway between white and black. The background is transparent,
// and each color must be visible on a light page and on a dark one.
var (
	ink  = color.RGBA{0x79, 0x79, 0x79, 0xff}
	grid = color.NRGBA{0x79, 0x79, 0x79, 0x50}

	oursColors  = []color.RGBA{{0x1f, 0x7a, 0xe0, 0xff}, {0x00, 0x8f, 0x9c, 0xff}, {0x6b, 0x6f, 0xf0, 0xff}, {0x3d, 0x87, 0x3d, 0xff}}
	rivalColors = []color.RGBA{{0xd9, 0x5f, 0x02, 0xff}, {0xd6, 0x33, 0x6c, 0xff}, {0xa8, 0x70, 0x00, 0xff}, {0xb0, 0x52, 0xc0, 0xff}, {0xc9, 0x4a, 0x3a, 0xff}, {0x8a, 0x75, 0x5a, 0xff}}
	shapes      = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}}
)

// A series is one line of a plot: medians, with the middle half of the samples
// as whiskers.
type series struct {
	name   string
	points []point
	joined bool // whether the points are joined by a line
	color  color.Color
	shape  draw.GlyphDrawer
	dashes []vg.Length
}

// A point has the value at one place of the other axis.
type point struct{ at, low, mid, high float64 }

// plotOf draws one metric of a result, as SVG. With three sizes or more it has
// lines over the size, otherwise a line of dots for each contender. It returns
// nil if there is nothing that a logarithmic axis can show.
func (r *result) plotOf(m metric) ([]byte, error) {
	lines := len(r.sizes) >= 3
	p := plot.New()
	p.BackgroundColor = color.Transparent
	label := m.name
	relative := lines && r.compares(m)
	if relative {
		label = fmt.Sprintf("times as %s as %s", m.much, r.cells[0][0].contender.name)
	}
	value, other := &p.Y, &p.X
	if !lines {
		value, other = &p.X, &p.Y
	}
	for _, a := range []*plot.Axis{value, other} {
		style(a)
	}
	value.Label.Text = label
	value.Scale = plot.LogScale{}
	value.Tick.Marker = plot.TickerFunc(logTicks)

	var all []*series
	for i, row := range r.cells {
		if relative && row[0].contender.part {
			continue // a contender that does less is not slower or faster
		}
		s := newSeries(row[0].contender, i, r.cells)
		for col, c := range row {
			xs := c.column(m.of)
			pt := point{at: float64(c.size), low: quantile(xs, 0.25), mid: median(xs), high: quantile(xs, 0.75)}
			if !lines {
				pt.at = float64(len(r.cells)-1-i) - 0.2*float64(col)
			}
			for _, v := range []*float64{&pt.low, &pt.mid, &pt.high} {
				if relative {
					*v /= m.mid(r.first(c))
				} else {
					*v = m.shown(*v, c.size)
				}
			}
			if pt.mid > 0 && !math.IsInf(pt.mid, 0) && !math.IsNaN(pt.mid) {
				s.points = append(s.points, pt)
			}
		}
		if s.joined = lines; len(s.points) > 0 {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	if lines {
		other.Label.Text = "bytes"
		other.Scale = plot.LogScale{}
		other.Tick.Marker = sizeTicks(r.sizes)
	} else {
		other.Tick.Marker = nameTicks(r.cells)
		other.Tick.Length = 0
		other.LineStyle.Width = 0
	}
	p.Add(&gridLines{value: value, horizontal: lines})
	for _, s := range all {
		p.Add(&drawn{s, !lines})
	}
	// Values that are all equal still need a range, and so do those of a single
	// size.
	value.Min, value.Max = value.Min/1.1, value.Max*1.1
	if !lines {
		other.Min, other.Max = -1, float64(len(r.cells))
	}
	return render(p, all, lines)
}

// compares reports whether there is a rival with which m compares the first row.
func (r *result) compares(m metric) bool {
	return m.best != "" && r.cells[0][0].contender.ours && slices.ContainsFunc(r.cells, func(row []*cell) bool {
		return !row[0].contender.ours
	}) && !slices.ContainsFunc(r.cells[0], func(c *cell) bool { return !(m.mid(c) > 0) || math.IsInf(m.mid(c), 0) })
}

func newSeries(c contender, nth int, cells [][]*cell) *series {
	colors, n := rivalColors, 0
	if c.ours {
		colors = oursColors
	}
	for _, row := range cells[:nth] {
		if row[0].contender.ours == c.ours {
			n++
		}
	}
	s := &series{name: c.name, color: colors[n%len(colors)], shape: shapes[n/len(colors)%len(shapes)]}
	if !c.ours {
		s.dashes = []vg.Length{4, 2}
	}
	return s
}

// style makes an axis readable on any background.
func style(a *plot.Axis) {
	a.Color, a.Tick.Color, a.Label.TextStyle.Color, a.Tick.Label.Color = ink, ink, ink, ink
	a.Label.TextStyle.Font = font.From(sans, 11)
	a.Tick.Label.Font = font.From(sans, 10)
}

var sans = font.Font{Typeface: "Liberation", Variant: "Sans"}

// logTicks are 1, 2 and 5 times the powers of ten, or the powers alone where
// these are many.
func logTicks(low, high float64) (ticks []plot.Tick) {
	first, last := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	for e := first; e <= last; e++ {
		for _, f := range []float64{1, 2, 5} {
			x := f * math.Pow(10, e)
			t := plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'g', 6, 64)}
			if f > 1 && last-first > 3 {
				t.Label = ""
			}
			if x >= low && x <= high {
				ticks = append(ticks, t)
			}
		}
	}
	return ticks
}

// sizeTicks names the sizes. It omits a name that would overlap the one before it.
func sizeTicks(sizes []int) (ticks plot.ConstantTicks) {
	for i, size := range sizes {
		t := plot.Tick{Value: float64(size), Label: sizeName(size)}
		if i > 0 && size < 3*sizes[i-1] {
			t.Label = ""
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// nameTicks puts the contenders' names beside their dots, the first on top.
func nameTicks(cells [][]*cell) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i, row := range cells {
		ticks = append(ticks, plot.Tick{Value: float64(len(cells) - 1 - i), Label: row[0].contender.name})
	}
	return ticks
}

// gridLines are thin lines at the labelled values.
type gridLines struct {
	value      *plot.Axis
	horizontal bool
}

func (g *gridLines) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, t := range logTicks(g.value.Min, g.value.Max) {
		width := vg.Length(0.5)
		if t.Value == 1 && g.horizontal {
			width = 1.5
		}
		line := draw.LineStyle{Color: grid, Width: width}
		if g.horizontal {
			c.StrokeLine2(line, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
		} else {
			c.StrokeLine2(line, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
		}
	}
}

// A drawn is a series in a plot. If flat is set, its values are on the X axis.
type drawn struct {
	*series
	flat bool
}

func (d *drawn) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	place := func(at, value float64) vg.Point {
		if d.flat {
			return vg.Point{X: trX(value), Y: trY(at)}
		}
		return vg.Point{X: trX(at), Y: trY(value)}
	}
	var line, whiskers vg.Path
	for i, pt := range d.points {
		if i == 0 || !d.joined {
			line.Move(place(pt.at, pt.mid))
		} else {
			line.Line(place(pt.at, pt.mid))
		}
		whiskers.Move(place(pt.at, pt.low))
		whiskers.Line(place(pt.at, pt.high))
	}
	c.SetLineStyle(draw.LineStyle{Color: d.color, Width: 1.5, Dashes: d.dashes})
	c.Stroke(line)
	c.SetLineStyle(draw.LineStyle{Color: d.color, Width: 3})
	c.Stroke(whiskers)
	for _, pt := range d.points {
		c.DrawGlyph(draw.GlyphStyle{Color: d.color, Radius: 2.5, Shape: d.shape}, place(pt.at, pt.mid))
	}
}

func (d *drawn) DataRange() (xmin, xmax, ymin, ymax float64) {
	var ats, values []float64
	for _, pt := range d.points {
		ats = append(ats, pt.at)
		values = append(values, pt.low, pt.mid, pt.high)
	}
	values = slices.DeleteFunc(values, func(x float64) bool { return !(x > 0) || math.IsInf(x, 0) })
	xmin, xmax, ymin, ymax = slices.Min(ats), slices.Max(ats), slices.Min(values), slices.Max(values)
	if d.flat {
		return ymin, ymax, xmin, xmax
	}
	return xmin, xmax, ymin, ymax
}

// Thumbnail draws the series in the legend.
func (d *drawn) Thumbnail(c *draw.Canvas) {
	mid := c.Center().Y
	c.StrokeLine2(draw.LineStyle{Color: d.color, Width: 1.5, Dashes: d.dashes}, c.Min.X, mid, c.Max.X, mid)
	c.DrawGlyph(draw.GlyphStyle{Color: d.color, Radius: 2.5, Shape: d.shape}, c.Center())
}

// render draws a plot, with a legend to its right if names are not on an axis.
func render(p *plot.Plot, all []*series, legend bool) ([]byte, error) {
	width, height := 760*vg.Length(1), 330*vg.Length(1)
	if !legend {
		height = vg.Length(60 + 24*len(all))
	}
	canvas := vgsvg.NewWith(vgsvg.UseWH(width, height))
	c := draw.New(canvas)
	if legend {
		l := plot.NewLegend()
		l.TextStyle.Color, l.TextStyle.Font = ink, font.From(sans, 10)
		l.Top, l.Left, l.ThumbnailWidth, l.Padding = true, true, 24, 4
		for _, s := range all {
			l.Add(s.name, &drawn{s, false})
		}
		room := l.Rectangle(c).Size().X + 12
		l.Draw(draw.Crop(c, width-room, 0, 0, -8))
		c = draw.Crop(c, 0, -room, 0, 0)
	}
	p.Draw(draw.Crop(c, 4, -10, 4, -8))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
