package teams_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elevate/adapters/teams"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// approvers click at the same time, each again and again.
const approvers = 64

// somebodyNamed is the n-th person of a kind.
func somebodyNamed(kind, n int) pim.Profile {
	id := fmt.Sprintf("00000000-0000-4000-%04d-%012d", 8000+kind, n)
	return pim.Profile{ID: pim.PrincipalID(id), Name: fmt.Sprint("Person ", n), Found: true, Enabled: true}
}

func accountOf(p pim.Profile) pim.ChatAccount {
	return pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: string(p.ID)}
}

// BenchmarkApprove is the way of a click on Approve from the bytes to the answer: checks, rules, the claim durably on the
// disk, the card that is answered. Each click decides another request that waits, and what follows from it runs beside.
func BenchmarkApprove(b *testing.B) {
	const group pim.GroupID = "11111111-0000-4000-8000-000000000001"
	var people []pim.Profile
	var ids, eligible []pim.PrincipalID
	for n := range approvers {
		people = append(people, somebodyNamed(0, n))
		ids = append(ids, people[n].ID)
	}
	for n := range b.N {
		people = append(people, somebodyNamed(1, n))
		eligible = append(eligible, people[approvers+n].ID)
	}
	dir := workflowtest.NewDirectory(time.Now, people, map[pim.GroupID]workflowtest.Group{group: {Eligible: eligible, Approvers: ids, Max: 8 * time.Hour}})
	role := pim.Role{Name: "mde-admin", Title: "MDE Administrator", Group: group, Default: time.Hour, Max: 8 * time.Hour, NeedsReason: true, NeedsApproval: true}
	bot := workflowtest.NewBot(b, b.TempDir(), workflow.Config{Directory: dir, Roles: pim.Roles{role}, Tenant: tenant, Now: time.Now, Tick: time.Second})
	bot.Config.Logger = slog.New(slog.DiscardHandler)
	bot.Open()
	for _, p := range people {
		bot.Session(accountOf(p), p, time.Now(), 8*time.Hour)
	}
	bot.Run()
	defer bot.Close()
	defer bot.Stop()
	bench := newBench(b, nil)
	bench.net.on("GET members", everybody)
	bench.handler = teams.NewHandler(teams.HandlerConfig{Client: bench.client, Service: bot.Service, Now: machineTime, Logger: bot.Config.Logger})
	defer bench.handler.Close()
	clicks := whoAsked(b, bot, people[approvers:])
	authorization := "Bearer " + token(nil)
	for _, p := range people[:approvers] { // who somebody is, Teams is asked once in five minutes, at its own pace
		looks := strings.ReplaceAll(clickOn(pim.Request{ID: "zzzzzz"}), "WHO", string(p.ID))
		for strings.Contains(bench.sendRaw(looks, authorization).Body.String(), "could not check") {
			time.Sleep(100 * time.Millisecond)
		}
	}
	took, next := make([]time.Duration, b.N), atomic.Int64{}
	var all sync.WaitGroup
	b.ResetTimer()
	for who := range approvers {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < b.N; n = int(next.Add(1)) - 1 {
				body := strings.ReplaceAll(clicks[n], "WHO", string(people[who].ID))
				began := time.Now()
				w := bench.sendRaw(body, authorization)
				took[n] = time.Since(began)
				if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "on its way to PIM") {
					b.Errorf("answered %d %s", w.Code, w.Body)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}

// whoAsked has everybody ask, and returns a click on Approve for each request once PIM holds them all.
func whoAsked(b *testing.B, bot *workflowtest.Bot, people []pim.Profile) (clicks []string) {
	b.Helper()
	for bot.Service.Swept().IsZero() { // until then the approvers are not known
		time.Sleep(10 * time.Millisecond)
	}
	for n, p := range people {
		at := accountOf(p)
		bot.Service.Command(b.Context(), workflow.Sender{Account: at, Name: p.Name, Place: pim.DirectTo(at), Once: fmt.Sprint(n), Zone: time.UTC}, "mde-admin isolating WS-042")
	}
	for len(clicks) < len(people) {
		time.Sleep(100 * time.Millisecond)
		clicks = clicks[:0]
		err := bot.DB.View(func(tx *store.Tx) error {
			open, err := tx.OpenRequests()
			for _, r := range open {
				if r.State == pim.Pending {
					clicks = append(clicks, clickOn(r))
				}
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return clicks
}

func clickOn(r pim.Request) string {
	return string(asJSON(clicked(object{
		"id": nil, "replyToId": nil, "from": object{"id": "29:WHO", "aadObjectId": "WHO"},
		"conversation": object{"id": "a:WHO", "conversationType": "personal", "tenantId": tenant},
		"value":        object{"action": object{"type": "Action.Execute", "verb": "approve", "data": object{"a": "approve", "r": string(r.ID), "d": r.Digest(), "k": "card"}}, "trigger": "manual"},
	})))
}
