using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace DicomServerless.Shared;

/// <summary>A page in a real browser, driven over the DevTools protocol. Used by one caller at a time.</summary>
public sealed class Chromium : IAsyncDisposable
{
    public const string Program = "/usr/bin/chromium";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly string profile;
    private readonly ClientWebSocket socket = new();
    private readonly Process process;
    private readonly List<string> console = [];
    private readonly List<string> failures = [];
    private readonly List<Uri> requests = [];
    private readonly Dictionary<string, string> urls = new(StringComparer.Ordinal);
    private string? session;
    private int lastId;

    private Chromium(Process process, string profile) => (this.process, this.profile) = (process, profile);

    /// <summary>What the page wrote as errors, and what it threw.</summary>
    public IReadOnlyList<string> Errors => console;

    /// <summary>Requests that were answered with an error or not at all.</summary>
    public IReadOnlyList<string> FailedRequests => failures;

    /// <summary>What the page has asked for.</summary>
    public IReadOnlyList<Uri> Requests => requests;

    /// <summary>Opens a page.</summary>
    /// <param name="url">Its address.</param>
    /// <param name="draws">Whether it needs WebGL, which is reckoned by the processor here.</param>
    /// <param name="before">A program that runs in the page before its own.</param>
    public static async Task<Chromium> OpenAsync(string url, bool draws = false, string? before = null)
    {
        var folder = Directory.CreateTempSubdirectory("chromium").FullName;
        string[] drawing = draws ? ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"] : ["--disable-gpu"];
        var process = Process.Start(new ProcessStartInfo(Program,
        [
            "--headless=new", "--no-sandbox", .. drawing, "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en",
            "--remote-debugging-port=0", "--user-data-dir=" + folder,
        ]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var page = new Chromium(process, folder);
        const string Mark = "DevTools listening on ";
        string? line;
        do line = await process.StandardError.ReadLineAsync();
        while (line is not null && !line.StartsWith(Mark, StringComparison.Ordinal));
        if (line is null) throw new InvalidOperationException("The browser ended before it listened.");
        _ = process.StandardError.ReadToEndAsync(); // so that its pipe never fills
        await page.socket.ConnectAsync(new Uri(line[Mark.Length..]), default);
        var target = await page.SendAsync("Target.createTarget", new JsonObject { ["url"] = "about:blank" });
        page.session = (string?)(await page.SendAsync("Target.attachToTarget", new JsonObject
            { ["targetId"] = (string?)target["targetId"], ["flatten"] = true }))["sessionId"];
        foreach (var domain in new[] { "Runtime", "Log", "Network", "Page" }) await page.SendAsync(domain + ".enable", []);
        await page.ResizeAsync(1280, 900, false);
        if (before is not null) await page.SendAsync("Page.addScriptToEvaluateOnNewDocument", new JsonObject { ["source"] = before });
        await page.NavigateAsync(url);
        return page;
    }

    /// <summary>Goes to another address, or to the same again.</summary>
    public Task NavigateAsync(string url) => SendAsync("Page.navigate", new JsonObject { ["url"] = url });

    /// <summary>The viewport in CSS pixels; a phone's have two pixels each way.</summary>
    public Task ResizeAsync(int width, int height, bool isPhone) =>
        SendAsync("Emulation.setDeviceMetricsOverride", new JsonObject
            { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = isPhone ? 1.5 : 1, ["mobile"] = isPhone });

    /// <summary>The value of an expression, as text.</summary>
    public async Task<string> EvaluateAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true });
        if (answer["exceptionDetails"] is { } thrown) throw new InvalidOperationException($"{expression}: {thrown["exception"]?["description"]}");
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
            if (watch.Elapsed > Patience)
                throw new TimeoutException($"Not within the time: "
                    + $"{expression}\n{await EvaluateAsync("document.body.innerText")}\n{string.Join('\n', console)}\n{string.Join('\n', failures)}");
            await Task.Delay(50);
        }
    }

    /// <summary>Where the middle of an element is, in CSS pixels.</summary>
    /// <param name="element">An expression that gives the element.</param>
    public async Task<(double X, double Y)> MiddleAsync(string element)
    {
        await UntilAsync($"({element})?.getBoundingClientRect().width > 0");
        var place = JsonNode.Parse(await EvaluateAsync($"(() => {{ const r = ({element}).getBoundingClientRect(); return JSON.stringify([r.x + r.width "
            + $"/ 2, r.y + r.height / 2]) }})()"))!;
        return ((double)place[0]!, (double)place[1]!);
    }

    /// <summary>Clicks an element with the mouse.</summary>
    public async Task ClickAsync(string element, int times = 1)
    {
        var (x, y) = await MiddleAsync(element);
        for (var count = 1; count <= times; count++)
        {
            await MouseAsync("mousePressed", x, y, count);
            await MouseAsync("mouseReleased", x, y, count);
        }
    }

    /// <summary>Draws with the left button pressed.</summary>
    public async Task DragAsync((double X, double Y) from, (double X, double Y) to)
    {
        const int Steps = 8;
        await MouseAsync("mouseMoved", from.X, from.Y, 0);
        await MouseAsync("mousePressed", from.X, from.Y, 1);
        for (var step = 1; step <= Steps; step++)
            await MouseAsync("mouseMoved", from.X + ((to.X - from.X) * step / Steps), from.Y + ((to.Y - from.Y) * step / Steps), 0, isPressed: true);
        await MouseAsync("mouseReleased", to.X, to.Y, 1);
    }

    /// <summary>Turns the wheel over a place; a notch is 100.</summary>
    public Task WheelAsync((double X, double Y) place, double deltaY) =>
        SendAsync("Input.dispatchMouseEvent", new JsonObject
            { ["type"] = "mouseWheel", ["x"] = place.X, ["y"] = place.Y, ["deltaX"] = 0, ["deltaY"] = deltaY });

    /// <summary>Types into what has the focus.</summary>
    public Task TypeAsync(string text) => SendAsync("Input.insertText", new JsonObject { ["text"] = text });

    /// <summary>A cookie of an address as a request has it, those that scripts cannot read too.</summary>
    public async Task<string> CookieAsync(string url, string name)
    {
        var answer = await SendAsync("Network.getCookies", new JsonObject { ["urls"] = new JsonArray(url) });
        return $"{name}={(string)answer["cookies"]!.AsArray().Single(cookie => (string?)cookie!["name"] == name)!["value"]!}";
    }

    public async Task<byte[]> ScreenshotAsync(int width, int height)
    {
        var answer = await SendAsync("Page.captureScreenshot", new JsonObject
        {
            ["format"] = "png", ["captureBeyondViewport"] = true, ["clip"] = new JsonObject
                { ["x"] = 0, ["y"] = 0, ["width"] = width, ["height"] = height, ["scale"] = 1 },
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

    private Task MouseAsync(string type, double x, double y, int count, bool isPressed = false) => SendAsync("Input.dispatchMouseEvent", new JsonObject
    {
        ["type"] = type, ["x"] = x, ["y"] = y, ["button"] = count > 0
            || isPressed ? "left" : "none", ["buttons"] = type == "mousePressed" || isPressed ? 1 : 0, ["clickCount"] = count,
    });

    private async Task<JsonNode> SendAsync(string method, JsonObject parameters)
    {
        var id = ++lastId;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (session is not null) message["sessionId"] = session;
        await socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, true, default);
        using var patience = new CancellationTokenSource(Patience);
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
            if (answer["method"] is { } happened) Keep(happened.ToString(), answer["params"]!);
            if ((int?)answer["id"] != id) continue;
            if (answer["error"] is { } error) throw new InvalidOperationException($"{method}: {error}");
            return answer["result"]!;
        }
    }

    private void Keep(string happened, JsonNode what)
    {
        switch (happened)
        {
            case "Runtime.consoleAPICalled" when Text(what, "type") is "error" or "assert":
                console.Add(string.Join(' ', what["args"]!.AsArray()
                    .Select(argument => Text(argument!, "value") is
                    { Length: > 0 } value ? value : $"{Text(argument!, "description")} {argument!["preview"]?.ToJsonString()}")));
                break;
            case "Runtime.exceptionThrown":
                console.Add(Text(what, "exceptionDetails", "text") + " " + Text(what, "exceptionDetails", "exception", "description"));
                break;
            case "Log.entryAdded" when Text(what, "entry", "level") == "error":
                console.Add(Text(what, "entry", "text") + " " + Text(what, "entry", "url"));
                break;
            case "Network.requestWillBeSent":
                var url = Text(what, "request", "url");
                urls[Text(what, "requestId")] = url;
                if (Uri.TryCreate(url, UriKind.Absolute, out var uri)) requests.Add(uri);
                break;
            case "Network.responseReceived" when (int)what["response"]!["status"]! >= 400:
                failures.Add(Text(what, "response", "status") + " " + Text(what, "response", "url"));
                break;
            case "Network.loadingFailed" when Text(what, "canceled") != "true":
                failures.Add($"{Text(what, "errorText")} {Text(what, "blockedReason")} {urls.GetValueOrDefault(Text(what, "requestId"))}");
                break;
        }
    }

    private static string Text(JsonNode node, params ReadOnlySpan<string> path)
    {
        JsonNode? at = node;
        foreach (var name in path) at = at?[name];
        return at?.ToString() ?? "";
    }
}
