module github.com/bytering/bytering/bench

go 1.26

require github.com/bytering/bytering v0.0.0-00010101000000-000000000000

replace github.com/bytering/bytering => ..
