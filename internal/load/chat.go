package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// playSlack serves as much of Slack's Web API as the bot calls, and returns its address. Every user id is a member.
func playSlack() (api string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
	if err != nil {
		return "", nil, err
	}
	var posted atomic.Int64
	mux := http.NewServeMux()
	say := func(method string, answer func(r *http.Request) map[string]any) {
		mux.HandleFunc("/api/"+method, func(w http.ResponseWriter, r *http.Request) {
			body := answer(r)
			body["ok"] = true
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body) // a bot that has gone needs no answer
		})
	}
	say("auth.test", func(*http.Request) map[string]any {
		return map[string]any{"team_id": team, "team": "Load", "user_id": "U0BOT", "bot_id": "B0BOT"}
	})
	say("bots.info", func(*http.Request) map[string]any {
		return map[string]any{"bot": map[string]any{"id": "B0BOT", "app_id": appID}}
	})
	say("users.info", func(r *http.Request) map[string]any {
		return map[string]any{"user": map[string]any{
			"id": r.FormValue("user"), "team_id": team, "real_name": "Person", "tz": "Europe/Berlin", "profile": map[string]any{"real_name": "Person"},
		}}
	})
	say("conversations.open", func(r *http.Request) map[string]any {
		return map[string]any{"channel": map[string]any{"id": "D" + r.FormValue("users")}}
	})
	say("conversations.info", func(r *http.Request) map[string]any {
		return map[string]any{"channel": map[string]any{"id": r.FormValue("channel")}}
	})
	say("chat.postMessage", func(r *http.Request) map[string]any {
		return map[string]any{"channel": r.FormValue("channel"), "ts": fmt.Sprintf("1700000000.%06d", posted.Add(1))}
	})
	say("chat.update", func(r *http.Request) map[string]any {
		return map[string]any{"channel": r.FormValue("channel"), "ts": r.FormValue("ts")}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with ErrServerClosed, by stop
	return "http://" + l.Addr().String() + "/api/", func() { _ = server.Close() }, nil
}
