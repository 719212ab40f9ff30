package pagerduty_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/adapters/pagerduty"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/sim/simchat"
	"elevate/internal/sim/simpagerduty"
)

var carol = simpagerduty.Person{ID: "PCAROL", Name: "Carol Cruz", Email: "carol@contoso.example"}

// client reads a schedule of a fake PagerDuty, with the right key unless another is given.
func client(t *testing.T, h http.Handler, key, schedule string) *pagerduty.Client {
	t.Helper()
	service := httptest.NewServer(h)
	t.Cleanup(service.Close)
	return pagerduty.New(pagerduty.Config{
		API: service.URL, Token: secret.New(key), Schedule: schedule, Transport: service.Client().Transport, Now: time.Now,
	})
}

func TestWhoIsOnCallIsReadFromTheSchedule(t *testing.T) {
	fake := simpagerduty.New(carol)
	c := client(t, fake.Handler(), simpagerduty.Token, simpagerduty.Schedule)
	people, err := c.OnCall(t.Context())
	if diff := cmp.Diff([]pagerduty.Person{{Name: carol.Name, Email: carol.Email}}, people); diff != "" || err != nil {
		t.Error(diff, err)
	}
	fake.SetOnCall()
	if people, err := c.OnCall(t.Context()); len(people) != 0 || people == nil || err != nil {
		t.Errorf("nobody is on call, and it says %v, %v", people, err)
	}
	fake.SetOnCall(make([]simpagerduty.Person, 40)...) // without names
	if people, err := c.OnCall(t.Context()); len(people) != 0 || err != nil {
		t.Errorf("people without names are named: %v, %v", people, err)
	}
	if name, err := c.Schedule(t.Context()); name != simpagerduty.Name || err != nil {
		t.Errorf("the schedule is called %q, %v", name, err)
	}
}

func TestWhatPagerDutyRefusesIsSaidInOurWords(t *testing.T) {
	for name, row := range map[string]struct {
		key, schedule string
		fault         simchat.FaultKind
		kind          pim.Kind
		says          string
	}{
		"a wrong key":        {key: "sandbox-other", kind: pim.Administered, says: "PagerDuty refuses the API key."},
		"a foreign schedule": {schedule: "PELSE", kind: pim.Administered, says: "no schedule with this id"},
		"too many calls":     {fault: simchat.RateLimited, kind: pim.Throttled, says: "fewer calls"},
		"a gateway's page":   {fault: simchat.ServerError, kind: pim.Unavailable, says: "answered with 502"},
		"an empty answer":    {fault: simchat.NoError, kind: pim.Unavailable, says: "no usable answer"},
		"a cut connection":   {fault: simchat.Reset, kind: pim.Unavailable, says: "no usable answer"},
		"a slow answer":      {fault: simchat.Slow, kind: pim.Unavailable, says: "no usable answer within 3s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := simpagerduty.New(carol)
			if row.fault != "" {
				fake.Break("users", simchat.Fault{Kind: row.fault, Delay: time.Minute})
			}
			key, schedule := row.key, row.schedule
			if key == "" {
				key = simpagerduty.Token
			}
			if schedule == "" {
				schedule = simpagerduty.Schedule
			}
			c := client(t, fake.Handler(), key, schedule)
			began := time.Now()
			people, err := c.OnCall(t.Context())
			if took := time.Since(began); took > pagerduty.Within+time.Second {
				t.Errorf("it took %s", took)
			}
			if len(people) > 0 || pim.Explain(err).Kind != row.kind || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, %v", people, err)
			}
			for _, hidden := range []string{key, "127.0.0.1", "schedules/"} {
				if said := fmt.Sprintf("%+v %+v", err, c); strings.Contains(said, hidden) && hidden != "127.0.0.1" || strings.Contains(err.Error(), hidden) {
					t.Errorf("%q is given away: %v", hidden, err)
				}
			}
		})
	}
}

// The key would go where the answer points, and a long answer would fill the memory.
func TestRedirectsAreNotFollowedAndLongAnswersAreCut(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		},
		"a long answer": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"users":[{"name":"%s"}]}`, strings.Repeat("x", 2<<20))
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls++; answer(w, r) }), simpagerduty.Token, simpagerduty.Schedule)
			if people, err := c.OnCall(t.Context()); err == nil || calls != 1 {
				t.Errorf("%v, %v after %d calls", people, err, calls)
			}
		})
	}
}
