"""Holds a dialogue: every line of standard input is a turn.

    printf 'My name is Ada.\nWhat is my name?\n' | python chat.py [host:port]
"""

import queue
import sys

import grpc
from contract import conversation_services, conversations, decoding, dialogue


def main(target: str = "localhost:7400") -> None:
    turns = queue.SimpleQueue()
    settings = decoding.DecodingSettings(gen_length=32)
    create = conversations.NewConversation(decoding=settings)
    turns.put(conversations.ChatRequest(open=conversations.OpenConversation(create=create)))
    with grpc.insecure_channel(target) as channel:
        events = conversation_services.ConversationServiceStub(channel).Chat(iter(turns.get, None))
        print("conversation", next(events).opened.id)
        for line in sys.stdin:
            part = dialogue.Part(text=line.strip())
            turns.put(conversations.ChatRequest(turn=conversations.Turn(parts=[part])))
            for event in events:
                if event.HasField("failed"):
                    sys.exit(event.failed.message)
                if event.reply.HasField("finished"):
                    print(f"{event.turn}: {event.reply.finished.text}")
                    break
        turns.put(None)


if __name__ == "__main__":
    main(*sys.argv[1:])
