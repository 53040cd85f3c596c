module github.com/bytering/bytering

go 1.26.0
