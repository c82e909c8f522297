using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace DicomServerless.Functional.Gateway.Http;

/// <summary>A page in a real browser, driven over the DevTools protocol.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    public const string Program = "/usr/bin/chromium";

    private readonly string profile;
    private readonly ClientWebSocket socket = new();
    private readonly Process process;
    private string? session;
    private int lastId;

    private Chromium(Process process, string profile) => (this.process, this.profile) = (process, profile);

    public static async Task<Chromium> OpenAsync(string url)
    {
        var folder = Directory.CreateTempSubdirectory("chromium").FullName;
        var process = Process.Start(new ProcessStartInfo(Program,
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en",
            "--remote-debugging-port=0", "--user-data-dir=" + folder,
        ]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var page = new Chromium(process, folder);
        const string Mark = "DevTools listening on ";
        string? line;
        do line = await process.StandardError.ReadLineAsync();
        while (line is not null && !line.StartsWith(Mark, StringComparison.Ordinal));
        Assert.NotNull(line);
        _ = process.StandardError.ReadToEndAsync(); // so that its pipe never fills
        await page.socket.ConnectAsync(new Uri(line[Mark.Length..]), default);
        var target = await page.SendAsync("Target.createTarget", new JsonObject { ["url"] = "about:blank" });
        page.session = (string?)(await page.SendAsync("Target.attachToTarget", new JsonObject { ["targetId"] = (string?)target["targetId"], ["flatten"] = true }))["sessionId"];
        await page.ResizeAsync(1280, 900, false);
        await page.SendAsync("Page.navigate", new JsonObject { ["url"] = url });
        return page;
    }

    /// <summary>The viewport in CSS pixels; a phone's have two pixels each way.</summary>
    public Task ResizeAsync(int width, int height, bool isPhone) =>
        SendAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = isPhone ? 1.5 : 1, ["mobile"] = isPhone });

    /// <summary>The value of an expression, as text.</summary>
    public async Task<string> EvaluateAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true });
        Assert.True(answer["exceptionDetails"] is null, $"{expression}: {answer["exceptionDetails"]?["exception"]?["description"]}");
        return answer["result"]?["value"]?.ToString() ?? "";
    }

    /// <summary>Waits in the page until an expression is true.</summary>
    public async Task UntilAsync(string expression)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var answer = await SendAsync("Runtime.evaluate", new JsonObject { ["expression"] = $"!!({expression})", ["returnByValue"] = true });
            if (answer["result"]?["value"]?.ToString() == "true") return;
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"Not within the time: {expression}\n{await EvaluateAsync("document.body.innerText")}");
            await Task.Delay(50);
        }
    }

    public async Task<byte[]> ScreenshotAsync(int width, int height)
    {
        var answer = await SendAsync("Page.captureScreenshot", new JsonObject
        {
            ["format"] = "png", ["captureBeyondViewport"] = true, ["clip"] = new JsonObject { ["x"] = 0, ["y"] = 0, ["width"] = width, ["height"] = height, ["scale"] = 1 },
        });
        return Convert.FromBase64String((string)answer["data"]!);
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(profile, recursive: true);
    }

    private async Task<JsonNode> SendAsync(string method, JsonObject parameters)
    {
        var id = ++lastId;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (session is not null) message["sessionId"] = session;
        await socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, true, default);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var received = new MemoryStream();
            var buffer = new byte[64 * 1024];
            WebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer, patience.Token);
                received.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            var answer = JsonNode.Parse(received.ToArray())!;
            if ((int?)answer["id"] != id) continue; // an event
            Assert.True(answer["error"] is null, $"{method}: {answer["error"]}");
            return answer["result"]!;
        }
    }
}
