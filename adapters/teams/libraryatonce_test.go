//go:build !race

package teams_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/infracloudio/msbotbuilder-go/core"
)

// crowd is how many come at once.
const crowd = 32

// atOnce does something many times at once.
func atOnce(do func()) {
	var all sync.WaitGroup
	for range crowd {
		all.Go(do)
	}
	all.Wait()
}

// slowly gives an answer when all others have come.
func slowly(answer func(call) *answered) func(call) *answered {
	return func(c call) *answered {
		time.Sleep(200 * time.Millisecond)
		return answer(c)
	}
}

func TestLibraryReadsTheKeysForEachOfManyAtOnce(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	n.on("GET keys", slowly(answer(200, string(asJSON(object{"keys": []any{jwk("k1", theKey(), "msteams")}})))))
	atOnce(func() { _, _ = parse(adapter, "Bearer "+token(nil), asJSON(typed(nil))) })
	read := 0
	for _, c := range n.to(keysHost) {
		if strings.HasSuffix(c.path, "/keys") {
			read++
		}
	}
	if read < crowd/2 {
		t.Errorf("the library reads them %d times", read)
	}
	// Ours: TestManyAtOnceReadTheKeysOnce.
}

func TestLibraryAsksForATokenForEachOfManyAtOnce(t *testing.T) {
	adapter, n := stock(t, core.AdapterSetting{})
	n.on("POST token", slowly(answer(200, `{"access_token":"`+botToken+`","expires_in":3600}`)))
	atOnce(func() { _ = say(t, adapter, channelID) })
	if asked := len(n.to("login.microsoftonline.com")); asked < crowd/2 {
		t.Errorf("the library asks %d times", asked)
	}
	// Ours is azidentity's, in adapters/entra: TestManyAtOnceAskForOneToken.
}
