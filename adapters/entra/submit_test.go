package entra_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
)

func activation() pim.Activation {
	return pim.Activation{
		Action: pim.SelfActivate, Group: group, Principal: alice, Justification: "Activate assignment.",
		Start: time.Date(2023, 2, 8, 7, 43, 0, 0, time.UTC), Duration: 2 * time.Hour,
	}
}

// created answers every POST with the recorded activation.
func created(t *testing.T) *fakeGraph {
	t.Helper()
	return newGraph(t, func(w http.ResponseWriter, call seen) {
		if call.method == http.MethodGet {
			reply(w, http.StatusOK, `{"value":[]}`)
			return
		}
		reply(w, http.StatusCreated, recorded(t, "create-assignmentScheduleRequest.selfActivate.response.json"))
	})
}

func TestSubmitSendsTheRecordedBodies(t *testing.T) {
	ticket := activation()
	ticket.Ticket = "09876"
	cases := map[string]struct {
		recorded string
		sent     pim.Activation
	}{
		"activation":             {"create-assignmentScheduleRequest.selfActivate.request.json", activation()},
		"activation with ticket": {"create-assignmentScheduleRequest.selfActivate.withTicket.request.json", ticket},
		"release": {"create-assignmentScheduleRequest.selfDeactivate.request.json", pim.Activation{
			Action: pim.SelfDeactivate, Group: group, Principal: alice, Justification: "Work finished.",
		}},
		"removal": {"create-assignmentScheduleRequest.adminRemove.request.json", pim.Activation{
			Action: pim.AdminRemove, Group: group, Principal: alice, Justification: "Break glass: remove active member access.",
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := created(t)
			if _, err := client(t, config(g)).Submit(t.Context(), aliceActs, tc.sent); err != nil {
				t.Fatal(err)
			}
			call := g.only(t)
			if call.path != "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests" || call.token != "person "+string(alice) {
				t.Errorf("sent %s with %q", call.path, call.token)
			}
			if diff := cmp.Diff(object(t, recorded(t, tc.recorded)), object(t, call.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// object decodes a body; times are compared as times, and who issues tickets is not asked for.
func object(t *testing.T, body string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(body), &o); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if info, ok := o["scheduleInfo"].(map[string]any); ok {
		start, err := time.Parse(time.RFC3339Nano, info["startDateTime"].(string))
		if err != nil {
			t.Fatal(err)
		}
		info["startDateTime"] = start.String()
	}
	if ticket, ok := o["ticketInfo"].(map[string]any); ok {
		delete(ticket, "ticketSystem")
	}
	return o
}

func TestSubmitReturnsPIMsCopy(t *testing.T) {
	g := created(t)
	got, err := client(t, config(g)).Submit(t.Context(), aliceActs, activation())
	if err != nil {
		t.Fatal(err)
	}
	want := pim.Copy{
		ID: "6aacaee8-4089-4048-9510-3119367fc943", Status: "Provisioned", Action: pim.SelfActivate, Access: pim.Member, Group: group,
		Principal: alice, CreatedBy: alice, Created: time.Date(2023, 2, 7, 7, 5, 53, 789561400, time.UTC),
		Completed: time.Date(2023, 2, 7, 7, 5, 55, 340452700, time.UTC), Justification: "Activate assignment.",
		Start: time.Date(2023, 2, 7, 7, 5, 55, 340452700, time.UTC), Expiration: "afterDuration", Duration: 2 * time.Hour,
		ScheduleID: "2b5ed229-4072-478d-9504-a047ebd4b07d_member_6aacaee8-4089-4048-9510-3119367fc943",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStartIsByGraphsClock(t *testing.T) {
	g := created(t)
	c := client(t, config(g))
	now := activation()
	now.Start = time.Time{}
	for range 2 {
		if _, err := c.Submit(t.Context(), aliceActs, now); err != nil {
			t.Fatal(err)
		}
	}
	calls := g.seenCalls()
	if len(calls) != 3 || calls[0].method != http.MethodGet || calls[0].token != "app" {
		t.Fatalf("want one question for the time and two activations, got %v", calls)
	}
	for _, call := range calls[1:] {
		var body struct {
			ScheduleInfo struct{ StartDateTime string }
		}
		if err := json.Unmarshal([]byte(call.body), &body); err != nil {
			t.Fatal(err)
		}
		if want := graphClock.Format(time.RFC3339); body.ScheduleInfo.StartDateTime != want {
			t.Errorf("start %s, want %s", body.ScheduleInfo.StartDateTime, want)
		}
	}
}

func TestTimesAndDurationsAreSentExactly(t *testing.T) {
	until := activation()
	until.Duration, until.Until = 0, time.Date(2023, 2, 8, 18, 0, 0, 250_000_000, time.FixedZone("CET", 3600))
	cases := map[string]struct {
		sent pim.Activation
		want map[string]any
	}{
		"24 hours are no day":   {lasting(24 * time.Hour), map[string]any{"type": "afterDuration", "duration": "PT24H"}},
		"a week is 168 hours":   {lasting(7 * 24 * time.Hour), map[string]any{"type": "afterDuration", "duration": "PT168H"}},
		"seconds stay":          {lasting(5*time.Minute + 45*time.Second), map[string]any{"type": "afterDuration", "duration": "PT5M45S"}},
		"minutes":               {lasting(90 * time.Minute), map[string]any{"type": "afterDuration", "duration": "PT1H30M"}},
		"an end, in UTC with Z": {until, map[string]any{"type": "afterDateTime", "endDateTime": "2023-02-08T17:00:00.25Z"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := created(t)
			if _, err := client(t, config(g)).Submit(t.Context(), aliceActs, tc.sent); err != nil {
				t.Fatal(err)
			}
			var body struct {
				ScheduleInfo struct {
					StartDateTime string
					Expiration    map[string]any
				}
			}
			if err := json.Unmarshal([]byte(g.only(t).body), &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, body.ScheduleInfo.Expiration); diff != "" {
				t.Error(diff)
			}
			if body.ScheduleInfo.StartDateTime != "2023-02-08T07:43:00Z" {
				t.Errorf("start %s", body.ScheduleInfo.StartDateTime)
			}
		})
	}
}

func lasting(d time.Duration) pim.Activation {
	a := activation()
	a.Duration = d
	return a
}

func TestSubmitRefusesWhatItCannotSay(t *testing.T) {
	both, neither, assign := activation(), activation(), activation()
	both.Until = both.Start.Add(time.Hour)
	neither.Duration = 0
	assign.Action = pim.AdminAssign
	for name, a := range map[string]pim.Activation{"both ends": both, "no end": neither, "adminAssign": assign, "nothing": {}} {
		t.Run(name, func(t *testing.T) {
			g := created(t)
			_, err := client(t, config(g)).Submit(t.Context(), aliceActs, a)
			if e := explain(t, err); e.Kind != pim.Internal || len(g.seenCalls()) != 0 {
				t.Errorf("kind %s after %d calls", e.Kind, len(g.seenCalls()))
			}
		})
	}
}

func TestCancelIsSentAsThePerson(t *testing.T) {
	g := newGraph(t, func(w http.ResponseWriter, _ seen) { w.WriteHeader(http.StatusNoContent) })
	if err := client(t, config(g)).Cancel(t.Context(), aliceActs, "34e963f6"); err != nil {
		t.Fatal(err)
	}
	call := g.only(t)
	if call.method != http.MethodPost || call.path != "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests/34e963f6/cancel" ||
		call.token != "person "+string(alice) {
		t.Errorf("sent %+v", call)
	}
}
