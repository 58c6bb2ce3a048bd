// Anthropic's JavaScript library against a running daemon, for each model in front of a provider
// that answers "An old pond", and calls the tool `look` first if it is given it.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";

const MODELS = process.env.LSD_MODELS.split(",");
const client = new Anthropic({
  apiKey: "any",
  baseURL: `${process.env.LSD_URL}/anthropic`,
  maxRetries: 0,
});

function request(model, more) {
  return { model, max_tokens: 64, messages: [{ role: "user", content: "Hi" }], ...more };
}

const LOOK = {
  name: "look",
  description: "Looks at a file",
  input_schema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};

for (const model of MODELS) {
  test(`${model}: a plain answer`, async () => {
    const message = await client.messages.create(request(model, { system: "Be brief." }));

    assert.deepEqual(message.content, [{ type: "text", text: "An old pond" }]);
    assert.equal(message.model, model);
    assert.equal(message.stop_reason, "end_turn");
    assert.ok(message.usage.output_tokens > 0);
    assert.equal(message._request_id.slice("req_".length), message.id.slice("msg_".length));
  });

  test(`${model}: a streamed answer`, async () => {
    const pieces = [];

    const stream = client.messages.stream(request(model)).on("text", (text) => pieces.push(text));
    const message = await stream.finalMessage();

    assert.deepEqual(pieces, ["An ", "old ", "pond"]);
    assert.equal(message.content[0].text, "An old pond");
    assert.equal(message.stop_reason, "end_turn");
  });

  test(`${model}: raw events`, async () => {
    const kinds = [];

    for await (const event of await client.messages.create(request(model, { stream: true }))) {
      kinds.push(event.type);
    }

    assert.deepEqual(
      kinds.filter((kind) => kind !== "content_block_delta"),
      [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
      ],
    );
  });

  test(`${model}: a call of a tool, streamed or not`, async () => {
    const whole = await client.messages.create(request(model, { tools: [LOOK] }));
    const stream = client.messages.stream(request(model, { tools: [LOOK] }));
    const streamed = await stream.finalMessage();

    for (const message of [whole, streamed]) {
      const [call] = message.content;
      assert.deepEqual([call.type, call.name, call.input], ["tool_use", "look", { path: "a.py" }]);
      assert.equal(message.stop_reason, "tool_use");
    }
  });

  for (const stream of [false, true]) {
    test(`${model}: the tool runner, ${stream ? "streamed" : "plain"}`, async () => {
      const seen = [];
      const look = betaTool({
        name: "look",
        description: "Looks at a file",
        inputSchema: LOOK.input_schema,
        run: ({ path }) => {
          seen.push(path);
          return `${path} is empty`;
        },
      });

      const runner = client.beta.messages.toolRunner(request(model, { tools: [look], stream }));
      const last = await runner;

      assert.deepEqual(seen, ["a.py"]);
      assert.equal(last.content[0].text, "An old pond");
    });
  }

  test(`${model}: tokens are counted`, async () => {
    const { input_tokens } = await client.messages.countTokens({
      model,
      messages: request(model).messages,
    });

    assert.ok(input_tokens > 0);
  });
}

test("models are listed, page after page", async () => {
  const names = [];

  for await (const model of client.models.list({ limit: 1 })) {
    names.push(model.id);
  }

  assert.deepEqual(names.slice(0, MODELS.length), MODELS);
  assert.equal((await client.models.retrieve(MODELS[0])).id, MODELS[0]);
});

test("failures have their own classes", async () => {
  const failing = (model, more) => client.messages.create(request(model, more));

  await assert.rejects(failing("nope"), Anthropic.NotFoundError);
  await assert.rejects(failing(MODELS[0], { max_tokens: "many" }), Anthropic.BadRequestError);
  await assert.rejects(failing("limited"), (error) => {
    assert.ok(error instanceof Anthropic.RateLimitError);
    return error.status === 429;
  });
  await assert.rejects(failing("overloaded"), (error) => {
    assert.ok(error instanceof Anthropic.InternalServerError);
    assert.equal(error.error.error.type, "overloaded_error");
    return error.status === 529;
  });
});

test("a stream that is cut is an error", async () => {
  const stream = client.messages.stream(request("cut"));

  await assert.rejects(stream.finalMessage(), (error) => {
    assert.ok(error instanceof Anthropic.APIError);
    return /stream ended early/.test(error.message);
  });
});
