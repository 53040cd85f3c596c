package main

func help(as program) string { return "" }
