module example.com/a

go 1.24.0

require golang.org/x/text v0.29.0
