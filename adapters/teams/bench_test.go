package teams_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"elevate/adapters/teams"
	"elevate/internal/workflow"
)

// cpu is what the process has used of the processor.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// anonymous is the process's anonymous memory in KiB.
func anonymous() (kib float64) {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		_, _ = fmt.Sscanf(line, "RssAnon: %f kB", &kib)
	}
	return kib
}

// BenchmarkRefusedWithoutACall is what junk costs.
func BenchmarkRefusedWithoutACall(b *testing.B) {
	bench := newBench(b, nil)
	bench.sendAs(typed(nil), "Bearer "+token(nil))
	for name, authorization := range map[string]string{
		"no token": "", "alg none": "Bearer " + none("none"), "wrong key": "Bearer " + sign(object{"alg": "RS256", "kid": "k1"}, claimsNow(nil), otherKey()),
		"unknown key": withKey("k2"), "many dots": "Bearer " + strings.Repeat(".", 8000),
	} {
		body := string(asJSON(typed(nil)))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if w := bench.sendRaw(body, authorization); w.Code != http.StatusUnauthorized {
					b.Fatalf("answered %d", w.Code)
				}
			}
		})
	}
}

// BenchmarkChecks is the way of an activity from the bytes to the answer of the
// HTTP call, with keys and profile cached: checks, decoding, repetition.
func BenchmarkChecks(b *testing.B) {
	bench := newBench(b, nil)
	authorization := "Bearer " + token(nil)
	value := asJSON(clicked(object{"id": "ID"}))
	front, back, _ := strings.Cut(string(value), `"ID"`)
	bench.sendAs(clicked(object{"id": "first"}), authorization)
	bench.service.answer = workflow.Reply{}
	before, calls, i := cpu(), len(bench.net.calls), 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		if w := bench.sendRaw(fmt.Sprintf(`%s"%d"%s`, front, i, back), authorization); w.Code != http.StatusOK {
			b.Fatalf("answered %d", w.Code)
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(i), "cpu-µs/op")
	if n := len(bench.net.calls); n != calls {
		b.Errorf("%d calls left the process", n-calls)
	}
	debug.FreeOSMemory()
	b.ReportMetric(anonymous()/1024, "RssAnon-MiB")
}

// sink takes replies for next to nothing, so that what is measured is ours; all else goes to the fake network.
type sink struct {
	next    http.RoundTripper
	replied chan struct{}
	taken   atomic.Int64
}

func (s *sink) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/activities") {
		return s.next.RoundTrip(r)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	s.taken.Add(1)
	s.replied <- struct{}{}
	return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"id":"1"}`)), Request: r}, nil
}

// BenchmarkMessage is a message with its reply: nothing else leaves the process but, every five minutes of the bench's
// clock, who it is. The clock is so quick that the pace of a conversation holds nothing up.
func BenchmarkMessage(b *testing.B) {
	var quick atomic.Int64
	replies := &sink{replied: make(chan struct{}, 1)}
	bench := newBench(b, func(cfg *teams.Config) {
		replies.next, cfg.Transport = cfg.Transport, replies
		cfg.TokenNow = machineTime
		cfg.Now = func() time.Time { return machineTime().Add(time.Duration(quick.Load())) }
	})
	bench.service.answer.Card = &hello
	authorization := "Bearer " + token(nil)
	front, back, _ := strings.Cut(string(asJSON(typed(object{"id": "ID"}))), `"ID"`)
	before, i := cpu(), 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		quick.Add(int64(3 * time.Second))
		if w := bench.sendRaw(fmt.Sprintf(`%s"%d"%s`, front, i, back), authorization); w.Code != http.StatusOK {
			b.Fatalf("answered %d, counted %v", w.Code, bench.counts.of)
		}
		<-replies.replied
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(i), "cpu-µs/op")
	bench.handler.Close()
	if n := int(replies.taken.Load()); n != i {
		b.Errorf("%d replies to %d messages", n, i)
	}
	debug.FreeOSMemory()
	b.ReportMetric(anonymous()/1024, "RssAnon-MiB")
}
