package signin_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestNobodysCallsShutOutWhoeverHoldsALink(t *testing.T) {
	b := newBench(t, nil)
	flood := func() {
		for range 300 {
			b.visitor().get("/auth/start?t=x") // anybody, without a link
		}
	}
	v, link := b.visitor(), b.newLink(aliceSlack, "intent-1")
	flood()
	w := v.signInBoth(link, person(alice, "Alice Anders"), slackAccount(team, aliceSlack.User))
	mustSay(t, w, http.StatusOK, "Your Slack account is linked")
	if w := b.visitor().get("/auth/start?t=" + strings.Repeat("x", 43)); w.Code != http.StatusTooManyRequests {
		t.Errorf("a link that nobody made is answered with %d", w.Code)
	}
}

// A link is one account's: whoever has many of its pages takes none of another's.
func TestOneAccountsLinkShutsOutNoOther(t *testing.T) {
	b := newBench(t, nil)
	mine, hers := b.newLink(bobSlack, ""), b.newLink(aliceSlack, "")
	last := 0
	for range 400 {
		last = b.visitor().get(mine).Code
	}
	if w := b.visitor().get(hers); last != http.StatusTooManyRequests || w.Code != http.StatusOK {
		t.Errorf("the one is answered with %d, the other with %d", last, w.Code)
	}
}
