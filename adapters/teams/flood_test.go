package teams_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const mallory = "44444444-4444-4444-8444-444444444444" // a guest

// exceptGuest answers about everybody, and says of one that he is a guest.
func exceptGuest(c call) *answered {
	_, who, _ := strings.Cut(c.path, "/members/29:")
	role := "user"
	if who == mallory {
		role = "guest"
	}
	return reply(200, string(asJSON(object{"id": "29:" + who, "aadObjectId": who, "tenantId": tenant, "userRole": role})))
}

func TestAGuestsClicksShutOutNoApprover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.net.on("GET members", exceptGuest)
		bearer := "Bearer " + token(nil)
		for i := range 900 { // a minute and a half, ten clicks a second
			go b.sendAs(clicked(object{"id": fmt.Sprint("f:m", i), "from": object{"id": "29:" + mallory, "aadObjectId": mallory}}), bearer)
			time.Sleep(100 * time.Millisecond)
		}
		b.sendAs(clicked(object{"from": object{"id": "29:" + alice, "aadObjectId": alice}}), bearer)
		if b.service.told() == 0 {
			t.Error("the approver's click did not come through")
		}
		time.Sleep(10 * time.Second)
		b.handler.Close()
	})
}

// Ten messages a second, for two minutes.
func TestWordsInAChannelHoldUpNoCard(t *testing.T) {
	for name, who := range map[string]string{"a guest's": mallory, "a member's": alice} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.net.on("GET members", exceptGuest)
				b.service.answer.Card = &hello
				bearer := "Bearer " + token(nil)
				for i := range 1200 {
					go b.sendAs(typed(object{
						"id": fmt.Sprint("m", i), "from": object{"id": "29:" + who, "aadObjectId": who},
						"conversation": object{"id": channelID + ";messageid=7", "conversationType": "channel", "tenantId": tenant},
					}), bearer)
					time.Sleep(100 * time.Millisecond)
					if i < 900 || i%30 > 0 {
						continue
					}
					if _, err := b.client.Post(t.Context(), general, hello); err != nil {
						t.Errorf("after %d messages: %v", i, err)
					}
				}
				time.Sleep(time.Minute)
				b.handler.Close()
			})
		})
	}
}

func TestManyEntitiesCostLittleMoreThanText(t *testing.T) {
	took := func(with object) time.Duration {
		b := newBench(t, nil)
		bearer := "Bearer " + token(nil)
		b.sendAs(typed(object{"id": "before"}), bearer)
		least := time.Hour // others use the processor too
		for i := range 8 {
			with["id"] = fmt.Sprint("n", i)
			began := time.Now()
			b.sendAs(typed(with), bearer)
			least = min(least, time.Since(began))
		}
		return least
	}
	var zones, mentions []object
	for i := range 3800 {
		zones = append(zones, object{"type": "clientInfo", "timezone": fmt.Sprint("Europe/X", i)})
	}
	for range 1500 {
		mentions = append(mentions, object{"type": "mention", "text": "y", "mentioned": object{"id": bot}})
	}
	plain := took(object{"text": strings.Repeat("x", 240_000)})
	z := took(object{"entities": zones})
	m := took(object{"entities": mentions, "text": strings.Repeat("x", 100_000)})
	if z > 10*plain || m > 10*plain {
		t.Errorf("a text takes %v, zones %v, mentions %v", plain, z, m)
	}
}
