package bounded

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how many percent of what is in use the heap grows before the
// garbage collector runs.
const heapGrowth = 200

// Heap trades memory for processor time, unless GOGC says otherwise: what is in
// use is a few megabytes, and at Go's own 100 percent the collector takes a
// fifth of what a command costs.
func Heap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
