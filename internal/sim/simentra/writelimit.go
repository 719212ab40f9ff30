package simentra

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// throttleSpan is the time over which calls are counted, of the machine.
const throttleSpan = 10 * time.Second

// changes reports whether an operation changes something: two of those that are sent by POST only read.
func (r route) changes() bool {
	return r.method != http.MethodGet && !strings.HasSuffix(r.pattern, "/checkMemberGroups") && !strings.HasSuffix(r.pattern, "/getByIds")
}

// writeThrottled counts changes, and says after how many seconds there is room again. What was refused does not count.
func (s *Server) writeThrottled() (seconds int, throttled bool) {
	if s.behavior.WriteLimit <= 0 {
		return 0, false
	}
	machine := s.machine()
	recent := s.writes[:0]
	for _, at := range s.writes {
		if machine.Sub(at) < throttleSpan {
			recent = append(recent, at)
		}
	}
	s.writes = recent
	if len(recent) < s.behavior.WriteLimit {
		s.writes = append(recent, machine)
		return 0, false
	}
	left := throttleSpan - machine.Sub(recent[0])
	return int((left + time.Second - 1) / time.Second), true
}

func (s *Server) tooMany(c *call, seconds int) answer {
	a := s.failure(c, &graphError{status: http.StatusTooManyRequests, code: "TooManyRequests", message: "Too many requests"})
	a.header.Set("Retry-After", strconv.Itoa(seconds))
	return a
}
