namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>The parts of the program that act on a change of the configuration, in the order in which they came.</summary>
internal sealed class ConfigurationUsers
{
    private readonly Lock gate = new();
    private readonly List<Func<GatewayOptions, Task<IReadOnlyList<string>>>> users = [];

    /// <summary>Adds one.</summary>
    public void Add(Func<GatewayOptions, Task<IReadOnlyList<string>>> user)
    {
        lock (gate) users.Add(user);
    }

    /// <summary>Removes one.</summary>
    public void Remove(Func<GatewayOptions, Task<IReadOnlyList<string>>> user)
    {
        lock (gate) users.Remove(user);
    }

    /// <summary>Gives the new options to all. When one cannot work with them, those before it get the old ones back.</summary>
    /// <returns>Why the change is refused; empty if it is in use.</returns>
    public async Task<IReadOnlyList<string>> ApplyAsync(GatewayOptions before, GatewayOptions next)
    {
        Func<GatewayOptions, Task<IReadOnlyList<string>>>[] all;
        lock (gate) all = [.. users];
        for (var i = 0; i < all.Length; i++)
        {
            var problems = await all[i](next);
            if (problems.Count == 0) continue;
            for (var done = i - 1; done >= 0; done--) await all[done](before);
            return problems;
        }
        return [];
    }
}
