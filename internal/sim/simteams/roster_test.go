package simteams_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"elevate/internal/sim/simteams"
)

func TestARosterSaysWhoSomebodyIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	incident := "conversations/" + url.PathEscape(simteams.ChatID(simteams.Incident))
	one := func(key string) answer {
		return w.calls(t, http.MethodGet, incident+"/members/"+url.PathEscape(w.mri(t, key)), nil)
	}
	for key, want := range map[string]string{
		"alice": "user c0705000-0000-4000-8000-000000000001 0be0b1e5-0000-4000-8000-000000000001",
		"gus":   "guest c0705000-0000-4000-8000-000000000001 0be0b1e5-0000-4000-8000-000000000012",
		"sam":   "user fab81ca0-0000-4000-8000-000000000002 fab81ca0-0000-4000-8000-000000000101",
		"ann":   "anonymous c0705000-0000-4000-8000-000000000001 <nil>",
	} {
		a := one(key)
		if got := fmt.Sprint(a.body["userRole"], " ", a.body["tenantId"], " ", a.body["aadObjectId"]); a.status != http.StatusOK || got != want {
			t.Errorf("%s: %d %s", key, a.status, got)
		}
	}
	if a := one("dora"); a.status != http.StatusNotFound || a.code() != "MemberNotFoundInConversation" {
		t.Errorf("somebody who left: %d %v", a.status, a.body)
	}
	alice, _ := w.model.Person("alice")
	if a := w.calls(t, http.MethodGet, incident+"/members/"+alice.ObjectID, nil); a.id() != w.mri(t, "alice") {
		t.Errorf("by object id: %d %v", a.status, a.body)
	}
	if a := w.calls(t, http.MethodGet, "conversations/"+url.PathEscape(simteams.ChannelID(simteams.WarRoom))+"/pagedmembers", nil); a.code() != "BotNotInConversationRoster" {
		t.Errorf("a private channel: %d %v", a.status, a.body)
	}
}

func TestTheRosterOfAChannelIsPaged(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *simteams.Config) { c.PageSize = 5 })
	path := "conversations/" + url.PathEscape(simteams.ChannelID(simteams.Approvals)) + "/pagedmembers?pageSize=500"
	seen, token := map[string]bool{}, ""
	for range 10 {
		a := w.calls(t, http.MethodGet, path+"&continuationToken="+url.QueryEscape(token), nil)
		members, _ := a.body["members"].([]any)
		for _, m := range members {
			seen[m.(map[string]any)["id"].(string)] = true
		}
		if token, _ = a.body["continuationToken"].(string); token == "" {
			break
		}
	}
	if !seen[w.mri(t, "bob")] || !seen[w.mri(t, "gus")] || seen[w.mri(t, "sam")] || len(seen) < 10 {
		t.Errorf("%d members were read", len(seen))
	}
	if a := w.calls(t, http.MethodGet, path+"&continuationToken=x", nil); a.code() != "BadArgument" {
		t.Errorf("%d %v", a.status, a.body)
	}
}

func TestATeamSaysItsChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	team := "teams/" + url.PathEscape(simteams.ModelTeam().ID)
	if a := w.calls(t, http.MethodGet, team, nil); a.body["aadGroupId"] != simteams.ModelTeam().GroupID {
		t.Errorf("%d %v", a.status, a.body)
	}
	a := w.calls(t, http.MethodGet, team+"/conversations", nil)
	if list, _ := a.body["conversations"].([]any); len(list) != 5 {
		t.Errorf("%d %v", a.status, a.body)
	}
}
