// OpenAI's own JavaScript library against a running daemon, whatever stands behind it.
// Each model calls the tool `look` if it is given it, fills in a schema, or says "An old pond".

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const client = new OpenAI({
  baseURL: `${process.env.LSD_URL}/openai/v1`,
  apiKey: "any",
  maxRetries: 0,
});
const messages = [{ role: "user", content: "Hi" }];
const models = process.env.LSD_MODELS.split(",");

for (const model of models) {
  test(`${model}: a plain answer`, async () => {
    const { data: answer, response } = await client.chat.completions
      .create({ model, messages })
      .withResponse();

    assert.equal(answer.choices[0].message.content, "An old pond");
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.model, model);
    assert.ok(answer.usage.total_tokens > 0);
    assert.equal(answer._request_id, response.headers.get("x-request-id"));
  });

  test(`${model}: a streamed answer`, async () => {
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = [];
    let usage = null;
    for await (const chunk of stream) {
      if (chunk.choices.length > 0) texts.push(chunk.choices[0].delta.content ?? "");
      usage = chunk.usage ?? usage;
    }

    assert.equal(texts.join(""), "An old pond");
    assert.ok(texts.filter((text) => text !== "").length > 1);
    assert.ok(usage.total_tokens > 0);
  });

  test(`${model}: the streaming helper`, async () => {
    const runner = client.chat.completions.stream({ model, messages });
    const heard = [];
    runner.on("content", (delta) => heard.push(delta));
    const answer = await runner.finalChatCompletion();

    assert.equal(heard.join(""), "An old pond");
    assert.equal(answer.choices[0].message.role, "assistant");
    assert.equal(answer.choices[0].message.content, "An old pond");
  });

  for (const streams of [false, true]) {
    test(`${model}: the tool runner, ${streams ? "streamed" : "plain"}`, async () => {
      const asked = [];
      const tool = zodFunction({
        name: "look",
        description: "Looks",
        parameters: z.object({ path: z.string() }),
        function: ({ path }) => {
          asked.push(path);
          return "4 °C";
        },
      });
      const runner = client.chat.completions.runTools({
        model,
        messages,
        tools: [tool],
        stream: streams,
      });

      assert.equal(await runner.finalContent(), "An old pond");
      assert.deepEqual(asked, ["a.py"]);
    });
  }

  test(`${model}: structured output`, async () => {
    const format = zodResponseFormat(z.object({ degrees: z.number() }), "weather");
    const answer = await client.chat.completions.parse({
      model,
      messages,
      response_format: format,
    });

    assert.deepEqual(answer.choices[0].message.parsed, { degrees: 4 });
  });
}

for (const model of models) {
  test(`${model}: a response`, async () => {
    const answer = await client.responses.create({ model, input: "Hi" });

    assert.equal(answer.output_text, "An old pond");
    assert.equal(answer.status, "completed");
    assert.ok(answer.usage.total_tokens > 0);
  });

  test(`${model}: a streamed response`, async () => {
    const stream = client.responses.stream({ model, input: "Hi" });
    const texts = [];
    stream.on("response.output_text.delta", (event) => texts.push(event.delta));
    const answer = await stream.finalResponse();

    assert.equal(texts.join(""), "An old pond");
    assert.equal(answer.output_text, "An old pond");
  });

  test(`${model}: a tool in a response`, async () => {
    const parameters = { type: "object", properties: {}, additionalProperties: false };
    const tools = [{ type: "function", name: "look", parameters, strict: false }];
    const input = [{ role: "user", content: "Hi" }];
    const first = await client.responses.create({ model, input, tools });
    const call = first.output.find((item) => item.type === "function_call");

    assert.equal(call.name, "look");
    const output = { type: "function_call_output", call_id: call.call_id, output: "a frog" };
    input.push(...first.output, output);
    const last = await client.responses.create({ model, input, tools });
    assert.equal(last.status, "completed");
    assert.notEqual(last.output_text, "");
  });
}

test("a response whose stream is cut", async () => {
  const stream = await client.responses.create({ model: "cut", input: "Hi", stream: true });
  let last = null;
  for await (const event of stream) last = event;

  assert.equal(last.type, "response.failed");
  assert.equal(last.response.error.code, "upstream_error");
});

test("a stream that is cut", async () => {
  const stream = await client.chat.completions.create({ model: "cut", messages, stream: true });
  const texts = [];
  await assert.rejects(async () => {
    for await (const chunk of stream) texts.push(chunk.choices[0].delta.content ?? "");
  }, OpenAI.APIError);

  assert.match(texts.join(""), /^An old/);
});

test("failures raise their own exceptions", async () => {
  const ask = (model) => client.chat.completions.create({ model, messages });

  await assert.rejects(ask("absent"), OpenAI.NotFoundError);
  await assert.rejects(ask(""), OpenAI.BadRequestError);
  await assert.rejects(ask("limited"), OpenAI.RateLimitError);
  await assert.rejects(ask("overloaded"), (error) => {
    assert.ok(error instanceof OpenAI.InternalServerError);
    assert.equal(error.status, 503);
    assert.equal(error.code, "overloaded");
    return true;
  });
});

test("models are listed", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);

  assert.ok(names.includes("gpt"));
  assert.equal((await client.models.retrieve("gpt")).owned_by, "lsd");
});

test("embeddings", async () => {
  const answer = await client.embeddings.create({ model: "echo::x", input: ["a", "b"] });

  assert.equal(answer.data.length, 2);
  assert.ok(answer.data[0].embedding.every((number) => typeof number === "number"));
});
