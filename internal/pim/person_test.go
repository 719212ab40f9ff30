package pim_test

import (
	"testing"

	"elevate/internal/pim"
)

func TestIdsHaveOneSpelling(t *testing.T) {
	if pim.NewPrincipalID(" AB-C ") != "ab-c" || pim.NewGroupID("AB-C\n") != "ab-c" {
		t.Error("ids differ by case or spaces")
	}
}

func TestPlacesHaveKeysOfTheirOwn(t *testing.T) {
	account := slackAccount("U1")
	if account.IsZero() || !(pim.ChatAccount{}).IsZero() || account.String() != "slack:T1:U1" {
		t.Errorf("account %s", account)
	}
	seen := map[string]bool{}
	for _, c := range []pim.Conversation{
		pim.DirectTo(account), {Chat: pim.Slack, ID: "U1"}, {Chat: pim.Teams, ID: "U1"}, pim.DirectTo(pim.ChatAccount{Chat: pim.Teams, User: "U1"}),
	} {
		if seen[c.String()] {
			t.Errorf("%s stands for two places", c)
		}
		seen[c.String()] = true
	}
}
