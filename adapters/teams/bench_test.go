package teams_test

import (
	"fmt"
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

// BenchmarkMessage is a message with its reply, which goes to a fake network: nothing else leaves the process but, every
// five minutes of the bench's clock, who it is. The clock is so quick that the pace of a conversation holds nothing up.
func BenchmarkMessage(b *testing.B) {
	var quick atomic.Int64
	bench := newBench(b, func(cfg *teams.Config) {
		cfg.TokenNow = machineTime
		cfg.Now = func() time.Time { return machineTime().Add(time.Duration(quick.Load())) }
	})
	replied := make(chan struct{})
	bench.net.on("POST activities", func(call) *answered {
		replied <- struct{}{}
		return reply(http.StatusCreated, `{"id":"1"}`)
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
		<-replied
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(i), "cpu-µs/op")
	bench.handler.Close()
	if n := len(bench.net.written()); n != i {
		b.Errorf("%d replies to %d messages", n, i)
	}
}
