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

    /// <summary>
    /// Gives the new options to all, to those that came last first: ports may fail and can be given back, while what a destination has been sent cannot. When
    /// one cannot work with them, those before it get the old ones back.
    /// </summary>
    /// <returns>Why the change is refused; empty if it is in use.</returns>
    public async Task<IReadOnlyList<string>> ApplyAsync(GatewayOptions before, GatewayOptions next)
    {
        Func<GatewayOptions, Task<IReadOnlyList<string>>>[] all;
        lock (gate) all = [.. users];
        Array.Reverse(all);
        for (var i = 0; i < all.Length; i++)
        {
            List<string> problems = [.. await all[i](next)];
            if (problems.Count == 0) continue;
            for (var done = i - 1; done >= 0; done--)
                foreach (var problem in await all[done](before)) problems.Add($"The old options cannot be used again either; restart the gateway: {problem}");
            return problems;
        }
        return [];
    }
}
